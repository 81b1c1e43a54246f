use super::{answered, over};
use crate::wire::Wire;

over!(two_loose_routers: Udp, Tcp);
async fn two_loose_routers(wire: Wire) {
    answered("record_route", wire).await;
}

over!(a_strict_router: Udp);
async fn a_strict_router(wire: Wire) {
    answered("strict_route", wire).await;
}
