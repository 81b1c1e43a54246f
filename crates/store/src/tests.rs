//! The ledger and the records, asked as the engine and the reports ask them.
