//! How grave an alarm is: ITU-T X.733 §8.1.2.3.

use crate::alarm::word::words;

words! {
    /// The perceived severity of what is wrong, the least first. That nothing is wrong any longer is no severity here: an
    /// alarm that is cleared says so by its event.
    ///
    /// Its number is that of `PerceivedSeverity` in X.721, where 5 is "cleared".
    Severity "severity" {
        /// How grave it is cannot be told.
        Indeterminate "indeterminate" 0;
        /// A fault may come; no service is affected yet.
        Warning "warning" 4;
        /// A fault that affects no service; repair it lest it grows.
        Minor "minor" 3;
        /// A service is impaired: repair it soon.
        Major "major" 2;
        /// A service is down, or data is lost: repair it now.
        Critical "critical" 1;
    }
}

/// The number of "cleared" in `PerceivedSeverity` of X.721.
pub(crate) const CLEARED_NUMBER: u16 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_are_ordered_by_gravity_and_named_as_in_x_733() {
        assert!(
            Severity::Critical > Severity::Major && Severity::Warning > Severity::Indeterminate
        );
        for severity in Severity::ALL {
            assert_eq!(severity.word().parse(), Ok(*severity));
            assert_ne!(severity.number(), CLEARED_NUMBER);
        }
        let error = "fatal".parse::<Severity>().unwrap_err().to_string();
        assert_eq!(
            error,
            "no severity is called \"fatal\": expected indeterminate, warning, minor, major, critical"
        );
    }
}
