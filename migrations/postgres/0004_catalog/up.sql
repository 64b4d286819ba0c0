-- Numbers are unique per installation and are handed out by this table.
CREATE TABLE event_numbers (
    number BIGINT NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id TEXT COLLATE "C" NOT NULL,
    event_id TEXT COLLATE "C" NOT NULL
);

CREATE TABLE events (
    organization_id TEXT COLLATE "C" NOT NULL REFERENCES organizations (id),
    id TEXT COLLATE "C" NOT NULL,
    mode TEXT COLLATE "C" NOT NULL CHECK (mode IN ('live', 'test')),
    number BIGINT NOT NULL,
    status TEXT COLLATE "C" NOT NULL CHECK (status IN ('draft', 'published', 'cancelled')),
    title TEXT COLLATE "C" NOT NULL,
    slug TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C",
    start_date TIMESTAMPTZ,
    end_date TIMESTAMPTZ,
    display_date TIMESTAMPTZ,
    timezone TEXT COLLATE "C",
    venue TEXT COLLATE "C",
    capacity BIGINT,
    currency TEXT COLLATE "C",
    age TEXT COLLATE "C",
    outfit TEXT COLLATE "C",
    image_url TEXT COLLATE "C",
    artists TEXT COLLATE "C" NOT NULL,
    music_genres TEXT COLLATE "C" NOT NULL,
    ambiences TEXT COLLATE "C" NOT NULL,
    visibility TEXT COLLATE "C" NOT NULL CHECK (visibility IN ('public', 'unlisted')),
    language TEXT COLLATE "C",
    metadata TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, mode, slug)
);
CREATE INDEX events_by_id ON events (id);
CREATE INDEX events_by_number ON events (number);

CREATE TABLE ticket_rates (
    organization_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    mode TEXT COLLATE "C" NOT NULL CHECK (mode IN ('live', 'test')),
    event_id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    slug TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C",
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('limited', 'public')),
    valid_from TIMESTAMPTZ,
    valid_until TIMESTAMPTZ,
    complete BOOLEAN NOT NULL,
    min_quantity BIGINT NOT NULL,
    max_quantity BIGINT NOT NULL,
    max_per_buyer BIGINT,
    capacity BIGINT,
    hidden BOOLEAN NOT NULL,
    revision BIGINT NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, event_id, slug),
    FOREIGN KEY (organization_id, event_id) REFERENCES events (organization_id, id)
);
CREATE INDEX ticket_rates_by_id ON ticket_rates (id);

-- fee_quantity: ten-thousandths of a percent, or minor units when fixed.
CREATE TABLE rate_prices (
    organization_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    rate_id TEXT COLLATE "C" NOT NULL,
    position BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    price_minor BIGINT NOT NULL CHECK (price_minor >= 0),
    valid_until TIMESTAMPTZ,
    quantity BIGINT CHECK (quantity > 0),
    fee_type TEXT COLLATE "C" NOT NULL CHECK (fee_type IN ('percentage', 'fixed')),
    fee_quantity BIGINT NOT NULL CHECK (fee_quantity >= 0),
    includes TEXT COLLATE "C",
    additional_info TEXT COLLATE "C",
    active BOOLEAN NOT NULL,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, rate_id) REFERENCES ticket_rates (organization_id, id)
);
CREATE INDEX rate_prices_by_rate ON rate_prices (organization_id, rate_id, position);
