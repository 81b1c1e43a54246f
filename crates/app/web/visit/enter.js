// Where a visit link leads.
import { exchangeFragment } from "../lib/exchange.js";

void exchangeFragment(location.pathname);
