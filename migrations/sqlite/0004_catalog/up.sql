-- Numbers are unique per installation and are handed out by this table.
CREATE TABLE event_numbers (
    number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    organization_id TEXT NOT NULL,
    event_id TEXT NOT NULL
) STRICT;

CREATE TABLE events (
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    id TEXT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('live', 'test')),
    number INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('draft', 'published', 'cancelled')),
    title TEXT NOT NULL,
    slug TEXT NOT NULL,
    description TEXT,
    start_date TEXT,
    end_date TEXT,
    display_date TEXT,
    timezone TEXT,
    venue TEXT,
    capacity INTEGER,
    currency TEXT,
    age TEXT,
    outfit TEXT,
    image_url TEXT,
    artists TEXT NOT NULL,
    music_genres TEXT NOT NULL,
    ambiences TEXT NOT NULL,
    visibility TEXT NOT NULL CHECK (visibility IN ('public', 'unlisted')),
    language TEXT,
    metadata TEXT NOT NULL,
    revision INTEGER NOT NULL,
    version INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, mode, slug)
) STRICT;
CREATE INDEX events_by_id ON events (id);
CREATE INDEX events_by_number ON events (number);

CREATE TABLE ticket_rates (
    organization_id TEXT NOT NULL,
    id TEXT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('live', 'test')),
    event_id TEXT NOT NULL,
    name TEXT NOT NULL,
    slug TEXT NOT NULL,
    description TEXT,
    kind TEXT NOT NULL CHECK (kind IN ('limited', 'public')),
    valid_from TEXT,
    valid_until TEXT,
    complete INTEGER NOT NULL CHECK (complete IN (0, 1)),
    min_quantity INTEGER NOT NULL,
    max_quantity INTEGER NOT NULL,
    max_per_buyer INTEGER,
    capacity INTEGER,
    hidden INTEGER NOT NULL CHECK (hidden IN (0, 1)),
    revision INTEGER NOT NULL,
    version INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, event_id, slug),
    FOREIGN KEY (organization_id, event_id) REFERENCES events (organization_id, id)
) STRICT;
CREATE INDEX ticket_rates_by_id ON ticket_rates (id);

-- fee_quantity: ten-thousandths of a percent, or minor units when fixed.
CREATE TABLE rate_prices (
    organization_id TEXT NOT NULL,
    id TEXT NOT NULL,
    rate_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    price_minor INTEGER NOT NULL CHECK (price_minor >= 0),
    valid_until TEXT,
    quantity INTEGER CHECK (quantity > 0),
    fee_type TEXT NOT NULL CHECK (fee_type IN ('percentage', 'fixed')),
    fee_quantity INTEGER NOT NULL CHECK (fee_quantity >= 0),
    includes TEXT,
    additional_info TEXT,
    active INTEGER NOT NULL CHECK (active IN (0, 1)),
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, rate_id) REFERENCES ticket_rates (organization_id, id)
) STRICT;
CREATE INDEX rate_prices_by_rate ON rate_prices (organization_id, rate_id, position);
