//! Conversations of two user agents over a network that loses, repeats and reorders.

mod agenda;
mod asks;
mod cancels;
mod challenges;
mod conversations;
mod dialogs;
mod early;
mod forks;
mod infos;
mod inside;
mod large;
mod reliable;
mod scripted;
mod session;
mod stage;
mod storm;
mod world;
