//! Says and hears SIP.
