//! Small programs that embed Housecall.
