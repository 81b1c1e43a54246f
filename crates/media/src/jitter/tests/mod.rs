//! A sender, a network and a listener in virtual time, without any sound: only what is played when.

mod conversations;
mod listener;
mod storm;

use crate::testing::{Network, Weather};
pub(crate) use conversations::expect_doubt_only;
use listener::{Heard, Listener};
