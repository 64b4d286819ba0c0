//! What lets a buyer's browser come to one payment, beside a publishable key: an HMAC of the
//! payment's id under the server's key. It is stored nowhere.

use crate::kernel::ids::{Id, PaymentId, base32};
use crate::kernel::secret::ServerKey;

/// The secret of a payment.
pub fn of(key: &ServerKey, payment: &PaymentId) -> String {
    let mac = key.mac("client-secret", &[payment.as_str().as_bytes()]);
    format!("{payment}_secret_{}", base32(&mac))
}

/// Whether this is the secret of a payment.
pub fn opens(key: &ServerKey, payment: &PaymentId, secret: &str) -> bool {
    subtle::ConstantTimeEq::ct_eq(of(key, payment).as_bytes(), secret.as_bytes()).into()
}

/// The field as an idempotency key keeps it.
const KEPT: &str = "\"client_secret\":null";

/// A kept answer with the secret that it was stored without, which a replay shows.
pub fn reveal(key: &ServerKey, kept: String) -> String {
    let body: Option<serde_json::Value> = serde_json::from_str(&kept).ok();
    let id = body.as_ref().and_then(|body| body.pointer("/data/_id")?.as_str());
    match id.and_then(PaymentId::parse) {
        Some(id) => shown(kept, &of(key, &id)),
        None => kept,
    }
}

/// The same where the secret is known. The field is the object's last, behind whatever the creator
/// wrote.
pub fn shown(kept: String, secret: &str) -> String {
    let Some(at) = kept.rfind(KEPT) else { return kept };
    let (before, rest) = kept.split_at(at);
    let after = rest.trim_start_matches(KEPT);
    format!("{before}\"client_secret\":\"{secret}\"{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_answer_gets_its_own_secret_back() {
        let key = ServerKey::from_hex(&"ab".repeat(32)).unwrap();
        let id = PaymentId::from_text(format!("pay_{}", "0".repeat(26)));
        let kept = |secret: &str| {
            format!(
                "{{\"data\":{{\"_id\":\"{id}\",\"metadata\":{{\"client_secret\":null}},\
                 \"client_secret\":{secret}}}}}"
            )
        };
        let shown = kept(&format!("\"{}\"", of(&key, &id)));
        assert_eq!(reveal(&key, kept("null")), shown);
        assert!(opens(&key, &id, &of(&key, &id)));
        assert!(!opens(&key, &PaymentId::from_text("pay_1".to_owned()), &of(&key, &id)));
    }
}
