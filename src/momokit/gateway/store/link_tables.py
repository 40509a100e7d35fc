"""The tables of payment links and invoices. Times are seconds since 1970."""
