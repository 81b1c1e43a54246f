// Where a link to sign in leads.
import { exchangeFragment } from "../lib/exchange.js";

void exchangeFragment(location.pathname);
