//! Conversations with the meter in its own time.
