"""Traffic of others: what clients ask and servers answer, passed on or recorded, and judged on the side."""
