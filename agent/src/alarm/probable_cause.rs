//! What probably made it go wrong: the words of ITU-T X.733 §8.1.2.1 and X.736 §8.1.2.

use crate::alarm::word::words;

words! {
    /// The probable cause of an alarm, by the standard's words.
    ///
    /// Its number up to 57 is that of the `ProbableCause` registered in X.721 §14.2 (`{arfProbableCause n}`); those of X.736
    /// follow as 58 to 74, as MIBs that have both number them.
    ProbableCause "probable cause" {
        AdapterError "adapter-error" 1;
        ApplicationSubsystemFailure "application-subsystem-failure" 2;
        BandwidthReduced "bandwidth-reduced" 3;
        CallEstablishmentError "call-establishment-error" 4;
        CommunicationsProtocolError "communications-protocol-error" 5;
        CommunicationsSubsystemFailure "communications-subsystem-failure" 6;
        ConfigurationOrCustomizationError "configuration-or-customization-error" 7;
        Congestion "congestion" 8;
        CorruptData "corrupt-data" 9;
        CpuCyclesLimitExceeded "cpu-cycles-limit-exceeded" 10;
        DataSetOrModemError "data-set-or-modem-error" 11;
        DegradedSignal "degraded-signal" 12;
        DteDceInterfaceError "dte-dce-interface-error" 13;
        EnclosureDoorOpen "enclosure-door-open" 14;
        EquipmentMalfunction "equipment-malfunction" 15;
        ExcessiveVibration "excessive-vibration" 16;
        FileError "file-error" 17;
        FireDetected "fire-detected" 18;
        FloodDetected "flood-detected" 19;
        FramingError "framing-error" 20;
        HeatingOrVentilationOrCoolingSystemProblem "heating-or-ventilation-or-cooling-system-problem" 21;
        HumidityUnacceptable "humidity-unacceptable" 22;
        InputOutputDeviceError "input-output-device-error" 23;
        InputDeviceError "input-device-error" 24;
        LanError "lan-error" 25;
        LeakDetected "leak-detected" 26;
        LocalNodeTransmissionError "local-node-transmission-error" 27;
        LossOfFrame "loss-of-frame" 28;
        LossOfSignal "loss-of-signal" 29;
        MaterialSupplyExhausted "material-supply-exhausted" 30;
        MultiplexerProblem "multiplexer-problem" 31;
        OutOfMemory "out-of-memory" 32;
        OutputDeviceError "output-device-error" 33;
        PerformanceDegraded "performance-degraded" 34;
        PowerProblem "power-problem" 35;
        PressureUnacceptable "pressure-unacceptable" 36;
        ProcessorProblem "processor-problem" 37;
        PumpFailure "pump-failure" 38;
        QueueSizeExceeded "queue-size-exceeded" 39;
        ReceiveFailure "receive-failure" 40;
        ReceiverFailure "receiver-failure" 41;
        RemoteNodeTransmissionError "remote-node-transmission-error" 42;
        ResourceAtOrNearingCapacity "resource-at-or-nearing-capacity" 43;
        ResponseTimeExcessive "response-time-excessive" 44;
        RetransmissionRateExcessive "retransmission-rate-excessive" 45;
        SoftwareError "software-error" 46;
        SoftwareProgramAbnormallyTerminated "software-program-abnormally-terminated" 47;
        SoftwareProgramError "software-program-error" 48;
        StorageCapacityProblem "storage-capacity-problem" 49;
        TemperatureUnacceptable "temperature-unacceptable" 50;
        ThresholdCrossed "threshold-crossed" 51;
        TimingProblem "timing-problem" 52;
        ToxicLeakDetected "toxic-leak-detected" 53;
        TransmitFailure "transmit-failure" 54;
        TransmitterFailure "transmitter-failure" 55;
        UnderlyingResourceUnavailable "underlying-resource-unavailable" 56;
        VersionMismatch "version-mismatch" 57;
        AuthenticationFailure "authentication-failure" 58;
        BreachOfConfidentiality "breach-of-confidentiality" 59;
        CableTamper "cable-tamper" 60;
        DelayedInformation "delayed-information" 61;
        DenialOfService "denial-of-service" 62;
        DuplicateInformation "duplicate-information" 63;
        InformationMissing "information-missing" 64;
        InformationModificationDetected "information-modification-detected" 65;
        InformationOutOfSequence "information-out-of-sequence" 66;
        IntrusionDetection "intrusion-detection" 67;
        KeyExpired "key-expired" 68;
        NonRepudiationFailure "non-repudiation-failure" 69;
        OutOfHoursActivity "out-of-hours-activity" 70;
        OutOfService "out-of-service" 71;
        ProceduralError "procedural-error" 72;
        UnauthorizedAccessAttempt "unauthorized-access-attempt" 73;
        UnexpectedInformation "unexpected-information" 74;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_have_no_gap() {
        let numbers = ProbableCause::ALL.iter().map(|cause| cause.number());
        assert!(numbers.eq(1..=74));
        assert_eq!(ProbableCause::VersionMismatch.number(), 57);
        assert_eq!(
            "temperature-unacceptable".parse(),
            Ok(ProbableCause::TemperatureUnacceptable)
        );
    }
}
