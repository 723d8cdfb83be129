"""The corridor: it knows Dagster and the order of the rooms, and no business."""
