//! Makes one phone call.
