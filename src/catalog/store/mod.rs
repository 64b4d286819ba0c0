//! The tables `locations`, `events`, `event_numbers`, `ticket_rates` and `rate_prices`.

pub mod events;
pub mod locations;
pub mod rates;

/// Invariants of this slice: each query returns the rows that break it.
pub fn checks() -> Vec<(&'static str, &'static str)> {
    vec![
        (
            "an event's counter agrees with it",
            "SELECT e.organization_id || '/' || e.id AS broken FROM events e \
             LEFT JOIN counters c ON c.organization_id = e.organization_id AND c.id = e.id \
             WHERE c.id IS NULL OR c.revision <> e.revision \
             OR COALESCE(c.capacity, -1) <> COALESCE(e.capacity, -1)",
        ),
        (
            "a rate's counter agrees with it",
            "SELECT r.organization_id || '/' || r.id AS broken FROM ticket_rates r \
             LEFT JOIN counters c ON c.organization_id = r.organization_id AND c.id = r.id \
             WHERE c.id IS NULL OR c.revision <> r.revision \
             OR COALESCE(c.capacity, -1) <> COALESCE(r.capacity, -1)",
        ),
        (
            "a published event has what publication asks for",
            "SELECT organization_id || '/' || id AS broken FROM events WHERE status = 'published' \
             AND (start_date IS NULL OR timezone IS NULL OR currency IS NULL \
             OR venue IS NULL AND location_id IS NULL)",
        ),
        (
            "an event's location is its organization's and of its mode",
            "SELECT e.organization_id || '/' || e.id AS broken FROM events e \
             LEFT JOIN locations l ON l.organization_id = e.organization_id \
             AND l.id = e.location_id AND l.mode = e.mode \
             WHERE e.location_id IS NOT NULL AND l.id IS NULL",
        ),
    ]
}
