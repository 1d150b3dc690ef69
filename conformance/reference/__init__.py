"""The reference implementation: a second reading of the documents, which shares no opinion with the judge."""
