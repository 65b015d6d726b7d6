"""Spreadsheets both ways: `reading`, `checking` and `writing` (docs/sheets.md)."""
