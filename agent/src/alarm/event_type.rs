//! What kind of thing is wrong: ITU-T X.733 §8.1.1 and X.736 §8.1.1.

use crate::alarm::word::words;

words! {
    /// The category of an alarm. Its number is that of `IANAItuEventType` (IANA-ITU-ALARM-TC-MIB).
    EventType "event type" {
        /// Information cannot be carried from one point to another.
        Communications "communications" 2;
        /// A service is worse than it should be.
        QualityOfService "quality-of-service" 3;
        /// Software or processing went wrong.
        ProcessingError "processing-error" 4;
        /// Equipment is at fault.
        Equipment "equipment" 5;
        /// What surrounds the equipment is out of bounds.
        Environmental "environmental" 6;
        /// Information was changed, inserted or deleted without the right to.
        Integrity "integrity-violation" 7;
        /// A service could not be had because of a wrong use of it.
        Operational "operational-violation" 8;
        /// A physical resource was tampered with.
        Physical "physical-violation" 9;
        /// A security service or mechanism found an attack.
        Security "security-violation" 10;
        /// Something happened at an unexpected time.
        TimeDomain "time-domain-violation" 11;
    }
}
