"""What a maintainer gets to see: patch, comment, SARIF with fixes, one HTML page."""
