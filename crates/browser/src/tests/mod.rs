mod client;
mod conversations;
mod hostile;
mod pair;
