"""What the app does. One file per deed, plain functions: no Flask, no HTTP library, no queue."""
