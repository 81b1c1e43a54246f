-- A page whose consultation is held at another node brings one of these there, instead of a cookie: it works once, at that node, for seconds.
CREATE TABLE socket_passes (
    token_hash   BLOB PRIMARY KEY,
    session_hash BLOB   NOT NULL,   -- of staff_sessions or visit_sessions: whose page it is
    epoch        BIGINT NOT NULL,   -- the node it is good at
    expires_ms   BIGINT NOT NULL
);
