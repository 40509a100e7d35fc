"""Spreadsheets: read with tolerance for what Excel does, written safe from formulas."""
