pub mod kernel;
pub mod db;
pub mod inventory;
pub mod outbox;
