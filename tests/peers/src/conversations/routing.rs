use super::{answered, over};
use crate::wire::Wire;

over!(two_loose_routers: Udp, Tcp, Tls);
async fn two_loose_routers(wire: Wire) {
    answered("record_route", wire).await;
}

over!(a_strict_router: Udp);
async fn a_strict_router(wire: Wire) {
    answered("strict_route", wire).await;
}

over!(a_route_with_parameters: Udp, Tcp);
async fn a_route_with_parameters(wire: Wire) {
    answered("route_parameters", wire).await;
}

over!(a_globally_routable_contact: Udp, Tcp, Tls);
async fn a_globally_routable_contact(wire: Wire) {
    answered("gruu", wire).await;
}
