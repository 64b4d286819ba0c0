//! Invariants of payments.

/// Invariants of this slice: each query returns the rows that break it.
pub fn checks() -> Vec<(&'static str, &'static str)> {
    vec![
        (
            "a payment's amount is the sum of its items",
            "SELECT p.organization_id || '/' || p.id AS broken FROM payments p \
             WHERE p.event_id IS NOT NULL \
             AND p.amount_minor <> (SELECT CAST(COALESCE(SUM(i.quantity * i.unit_minor \
             + i.fees_minor), 0) AS BIGINT) FROM payment_items i \
             WHERE i.organization_id = p.organization_id AND i.payment_id = p.id)",
        ),
        (
            "a payment has as many tickets as its items say",
            "SELECT p.organization_id || '/' || p.id AS broken FROM payments p \
             WHERE p.num_tickets <> (SELECT COUNT(*) FROM tickets t \
             WHERE t.organization_id = p.organization_id AND t.payment_id = p.id)",
        ),
        (
            "a payment's hold agrees with its state",
            "SELECT p.organization_id || '/' || p.id || ': ' || p.status || ', ' \
             || COALESCE(h.state, 'no hold') AS broken FROM payments p \
             LEFT JOIN holds h ON h.organization_id = p.organization_id AND h.id = p.id \
             WHERE (p.event_id IS NULL) <> (h.id IS NULL) \
             OR p.event_id IS NOT NULL AND NOT (CASE \
             WHEN p.status IN ('authorized', 'paid') THEN h.state = 'sold' \
             WHEN p.status = 'pending' THEN h.state IN ('held', 'released') \
             AND p.processing_attempt_id IS NULL \
             OR h.state = 'settling' AND p.processing_attempt_id IS NOT NULL \
             ELSE h.state = 'released' END)",
        ),
        (
            "what is sold of a payment is what its valid tickets are",
            "SELECT p.organization_id || '/' || p.id AS broken FROM payments p \
             WHERE p.event_id IS NOT NULL AND p.status IN ('authorized', 'paid') AND \
             (SELECT COUNT(*) FROM tickets t WHERE t.organization_id = p.organization_id \
             AND t.payment_id = p.id AND t.status = 'active') <> \
             COALESCE((SELECT l.quantity FROM hold_lines l WHERE \
             l.organization_id = p.organization_id AND l.hold_id = p.id \
             AND l.counter_id = p.event_id), 0)",
        ),
        (
            "a paid payment has its money, and one that never was has none",
            "SELECT organization_id || '/' || id AS broken FROM payments WHERE \
             (status = 'paid' AND (paid_at IS NULL OR paid_minor < amount_minor)) \
             OR (status IN ('pending', 'authorized') AND (paid_at IS NOT NULL OR paid_minor > 0)) \
             OR (status = 'expired' AND paid_minor > 0 AND (late_outcome <> 'refunded' \
             OR paid_minor <> refunded_minor AND NOT EXISTS (SELECT 1 FROM refunds r \
             WHERE r.organization_id = payments.organization_id \
             AND r.payment_id = payments.id AND r.state = 'failed')))",
        ),
        (
            "the platform's money is what providers took",
            "SELECT p.organization_id || '/' || p.id AS broken FROM payments p \
             WHERE p.collects = 'platform' AND COALESCE(p.kind, '') <> 'direct' \
             AND p.paid_minor <> (SELECT CAST(COALESCE(SUM(a.amount_minor), 0) AS BIGINT) \
             FROM payment_attempts a WHERE a.organization_id = p.organization_id \
             AND a.payment_id = p.id AND a.state = 'succeeded')",
        ),
        (
            "what is refunded is the sum of the refunds",
            "SELECT p.organization_id || '/' || p.id AS broken FROM payments p \
             WHERE p.refunded_minor <> (SELECT CAST(COALESCE(SUM(r.amount_minor), 0) AS BIGINT) \
             FROM refunds r WHERE r.organization_id = p.organization_id \
             AND r.payment_id = p.id AND r.state <> 'failed')",
        ),
        (
            "no charge is given back more than once over",
            "SELECT a.organization_id || '/' || a.id AS broken FROM payment_attempts a \
             WHERE a.amount_minor < (SELECT CAST(COALESCE(SUM(r.amount_minor), 0) AS BIGINT) \
             FROM refunds r WHERE r.organization_id = a.organization_id \
             AND r.attempt_id = a.id AND r.state <> 'failed')",
        ),
        (
            "a payment's customer is its creator's and of its mode",
            "SELECT p.organization_id || '/' || p.id AS broken FROM payments p \
             LEFT JOIN customers c ON c.id = p.customer_id AND c.mode = p.mode \
             AND c.owner_id = COALESCE(p.channel_id, p.organization_id) \
             WHERE p.customer_id IS NOT NULL AND c.id IS NULL",
        ),
        (
            "a live reference belongs to a payment that has not ended",
            "SELECT r.owner_id || '/' || r.reference AS broken FROM payment_references r \
             LEFT JOIN payments p ON p.organization_id = r.organization_id AND p.id = r.payment_id \
             WHERE p.id IS NULL OR p.status NOT IN ('pending', 'authorized', 'paid')",
        ),
    ]
}
