//! Live and test: two worlds that never see each other.

use crate::text_enum;

text_enum! {
    /// The world a credential, and everything made with it, belongs to.
    pub enum Mode {
        /// Real money, real mail.
        Live = "live",
        /// Sandbox: no money moves and no mail leaves the machine.
        Test = "test",
    }
}
