"""The depot's tools."""
