//! A small clinic.
