//! Seats one practitioner and up to three patients.
