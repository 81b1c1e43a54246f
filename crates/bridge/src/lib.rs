//! Joins a browser to a phone call.
