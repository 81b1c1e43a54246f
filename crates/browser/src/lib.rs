//! Is the other end of a browser's peer connection.
