//! What the service should say: small enough to be seen through.

/// A hold's length.
pub const HOLD_SECONDS: i64 = 900;
/// No hold lasts longer, from its start.
pub const HOLD_MAX_SECONDS: i64 = 7_200;
/// What a provider was not sure of is asked about after so long.
const ASK_AFTER_SECONDS: i64 = 60;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    Pending,
    Paid,
    Cancelled,
    /// Money came after its end, and went back.
    Expired,
}

/// A ticket, as the model remembers it. Money in minor units.
#[derive(Clone, Debug, Default)]
pub struct Seat {
    pub id: String,
    pub entered: bool,
    pub void: bool,
    pub refunded: i64,
}

/// A purchase, as the model remembers it. Money in minor units.
#[derive(Debug)]
pub struct Sale {
    pub once: String,
    pub quantity: i64,
    pub price: i64,
    pub made_at: i64,
    pub ends_at: i64,
    pub status: Status,
    pub paid: i64,
    pub refunded: i64,
    pub seats: Vec<Seat>,
    /// What the service called it, and said when it was made.
    pub id: String,
    pub said: String,
}

impl Sale {
    pub fn amount(&self) -> i64 {
        self.quantity * self.price
    }
}

/// The whole truth.
pub struct Model {
    pub now: i64,
    pub capacity: i64,
    pub price: i64,
    pub called_off: bool,
    pub sales: Vec<Sale>,
    /// A sale whose card was refused by a provider that was not sure, and when: it was charged.
    pub unsure: Option<(usize, i64)>,
}

impl Model {
    pub fn status(&self, sale: &Sale) -> &'static str {
        match sale.status {
            Status::Paid => "paid",
            Status::Cancelled => "cancelled",
            Status::Expired => "expired",
            Status::Pending if sale.ends_at <= self.now => "expired",
            Status::Pending => "pending",
        }
    }

    pub fn seats(&self, status: &str) -> i64 {
        let of = self.sales.iter().filter(|sale| self.status(sale) == status);
        let taken: usize = of.map(|sale| sale.seats.iter().filter(|seat| !seat.void).count()).sum();
        i64::try_from(taken).unwrap()
    }

    pub fn left(&self) -> i64 {
        self.capacity - self.seats("paid") - self.seats("pending")
    }

    /// What moving an open payment is refused with; `None` when it may move.
    pub fn closed(&self, sale: &Sale) -> Option<(u16, &'static str)> {
        match self.status(sale) {
            "pending" if self.called_off => Some((409, "event_cancelled")),
            "pending" => None,
            "expired" => Some((410, "payment_expired")),
            _ => Some((409, "wrong_status")),
        }
    }

    /// The worker hears what became of the charge that nobody was sure of: the sale is paid, if it
    /// still can be; else the money goes back.
    pub fn hear(&mut self) {
        let Some((index, asked_at)) = self.unsure else { return };
        if self.now < asked_at + ASK_AFTER_SECONDS {
            return;
        }
        self.unsure = None;
        let (status, left) = (self.status(&self.sales[index]), self.left());
        let called_off = self.called_off;
        let sale = &mut self.sales[index];
        sale.paid += sale.amount();
        match status {
            "pending" if !called_off => sale.status = Status::Paid,
            "expired" if !called_off && left >= sale.quantity => sale.status = Status::Paid,
            _ => {
                sale.refunded += sale.amount();
                sale.status = match (status, sale.status) {
                    ("pending", _) => Status::Cancelled,
                    ("expired", _) => Status::Expired,
                    (_, status) => status,
                };
            }
        }
    }
}
