/* A libnvidia-ml.so.1 that has no GPU behind it: two made-up devices, and whatever STUB asks for instead.
 *
 *   STUB=hang:NAME      the function NAME never returns
 *   STUB=crash:NAME     it writes to address 0
 *   STUB=fail:NAME:N    it returns N
 *   STUB=all:N          every function of a device returns N
 *   STUB=hostile        texts without an end, numbers without a bound
 *
 * With -DOLD it lacks what came after the first releases. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned int u32;
typedef unsigned long long u64;
typedef struct device { u32 bus; int mig; } *handle;
static struct device devices[2] = {{0x81, 0}, {0xc1, 0}};

typedef struct { char legacy[16]; u32 domain, bus, device, id, subsystem; char address[32]; } pci_t;
typedef struct { u64 total, free, used; } memory_t;
typedef struct { u32 version; u64 total, reserved, free, used; } memory_v2_t;
typedef struct { u32 gpu, memory; } busy_t;
typedef struct { u32 version, fan, speed; } fan_t;
typedef struct { u32 max, high, partial, low, none; } banks_t;
typedef struct { u32 sms, engines[5], slices, compute_slices; u64 mib; } attributes_t;
typedef struct { u32 field, scope; long long at, latency; u32 type; int status; u64 value; } field_t;

static int is_hostile(void) {
    const char *stub = getenv("STUB");
    return stub && !strcmp(stub, "hostile");
}

/* What STUB wants of the function NAME; 0 is that it does its work. */
static int wanted(const char *name, int of_device) {
    const char *stub = getenv("STUB");
    char text[256], *verb, *which, *number;
    if (!stub) return 0;
    snprintf(text, sizeof text, "%s", stub);
    verb = strtok(text, ":");
    which = strtok(NULL, ":");
    number = strtok(NULL, ":");
    if (!strcmp(verb, "all")) return of_device ? atoi(which) : 0;
    if (!which || strcmp(which, name)) return 0;
    if (!strcmp(verb, "hang")) for (;;) pause();
    if (!strcmp(verb, "crash")) *(volatile int *)0 = 1;
    return !strcmp(verb, "fail") ? atoi(number) : 0;
}

#define FUNCTION(name, ...) int name(__VA_ARGS__) { int bad = wanted(#name, 0); if (bad) return bad;
#define OF_DEVICE(name, ...) int name(__VA_ARGS__) { int bad = wanted(#name, 1); if (bad) return bad;
#define NUMBER(name, value) OF_DEVICE(name, handle d, u32 *out) (void)d; *out = is_hostile() ? ~0u : (value); return 0; }
#define PAIR(name, a, b) OF_DEVICE(name, handle d, u32 *x, u32 *y) (void)d; *x = (a); *y = (b); return 0; }
#define TEXT(name, text) OF_DEVICE(name, handle d, char *out, u32 length) (void)d; return say(out, length, text); }

static int say(char *out, u32 length, const char *text) {
    if (is_hostile()) {
        memset(out, 0xff, length);
        return 0;
    }
    if (strlen(text) >= length) return 7;
    strcpy(out, text);
    return 0;
}

FUNCTION(nvmlInit_v2, void) return 0; }
FUNCTION(nvmlSystemGetDriverVersion, char *out, u32 length) return say(out, length, "550.54.15"); }
FUNCTION(nvmlSystemGetNVMLVersion, char *out, u32 length) return say(out, length, "12.550.54.15"); }
FUNCTION(nvmlSystemGetCudaDriverVersion, int *out) *out = 12040; return 0; }
FUNCTION(nvmlDeviceGetCount_v2, u32 *out) *out = is_hostile() ? ~0u : 2; return 0; }
FUNCTION(nvmlDeviceGetHandleByIndex_v2, u32 index, handle *out)
    if (index > 1 && !is_hostile()) return 2;
    *out = &devices[index % 2];
    return 0;
}

static int pci(pci_t *out, u32 bus) {
    memset(out, is_hostile() ? 0xff : 0, sizeof *out);
    out->bus = is_hostile() && bus != 0x81 ? 0x12345 : bus;
    out->domain = out->device = 0;
    return 0;
}
OF_DEVICE(nvmlDeviceGetPciInfo_v2, handle d, pci_t *out) return pci(out, d->bus); }

TEXT(nvmlDeviceGetName, d->mig ? "NVIDIA H100 80GB HBM3 MIG 1g.10gb" : "NVIDIA H100 80GB HBM3")
TEXT(nvmlDeviceGetUUID, d->mig == 1   ? "MIG-11111111-2222-5333-8444-000000000001"
                        : d->mig == 2 ? "MIG-11111111-2222-5333-8444-000000000002"
                        : d->bus == 0x81 ? "GPU-11111111-2222-3333-4444-555555555581"
                                         : "GPU-11111111-2222-3333-4444-5555555555c1")
TEXT(nvmlDeviceGetSerial, d->bus == 0x81 ? "1650123456781" : "16501234567c1")
TEXT(nvmlDeviceGetBoardPartNumber, "692-2G520-0200-000")
TEXT(nvmlDeviceGetVbiosVersion, "96.00.74.00.01")
TEXT(nvmlDeviceGetInforomImageVersion, "G520.0200.00.05")
OF_DEVICE(nvmlDeviceGetInforomVersion, handle d, u32 object, char *out, u32 length)
    (void)d;
    return object == 1 ? say(out, length, "7.16") : 3;
}
OF_DEVICE(nvmlDeviceGetMemoryInfo, handle d, memory_t *out)
    out->total = d->mig ? 10ull << 30 : 80ull << 30;
    out->free = is_hostile() ? ~0ull : 60ull << 30;
    out->used = is_hostile() ? ~0ull : out->total - out->free;
    if (d->mig) { out->free = out->total; out->used = 0; }
    return 0;
}
OF_DEVICE(nvmlDeviceGetBAR1MemoryInfo, handle d, memory_t *out)
    (void)d;
    out->total = 128ull << 30; out->free = 127ull << 30; out->used = 1ull << 30;
    return 0;
}
PAIR(nvmlDeviceGetEccMode, 1, 1)
OF_DEVICE(nvmlDeviceGetTotalEccErrors, handle d, u32 error, u32 counter, u64 *out)
    (void)d; *out = 10 * error + counter; return 0;
}
OF_DEVICE(nvmlDeviceGetMemoryErrorCounter, handle d, u32 error, u32 counter, u32 place, u64 *out)
    (void)d; *out = 100 * place + 10 * error + counter; return place == 2 || place == 7 ? 0 : 3;
}
OF_DEVICE(nvmlDeviceGetRetiredPages, handle d, u32 cause, u32 *count, u64 *pages)
    (void)d; *count = cause + 1; return pages ? 0 : 7;
}
NUMBER(nvmlDeviceGetRetiredPagesPendingStatus, 1)
OF_DEVICE(nvmlDeviceGetCurrentClocksThrottleReasons, handle d, u64 *out)
    (void)d; *out = is_hostile() ? ~0ull : 0x44; return 0;
}
OF_DEVICE(nvmlDeviceGetClockInfo, handle d, u32 clock, u32 *out) (void)d; *out = 1000 + clock; return 0; }
OF_DEVICE(nvmlDeviceGetMaxClockInfo, handle d, u32 clock, u32 *out) (void)d; *out = 1980 + clock; return 0; }
NUMBER(nvmlDeviceGetPowerUsage, 123456)
NUMBER(nvmlDeviceGetPowerManagementLimit, 700000)
NUMBER(nvmlDeviceGetPowerManagementDefaultLimit, 700000)
NUMBER(nvmlDeviceGetEnforcedPowerLimit, 650000)
PAIR(nvmlDeviceGetPowerManagementLimitConstraints, 200000, 700000)
OF_DEVICE(nvmlDeviceGetTemperature, handle d, u32 sensor, u32 *out) (void)d; (void)sensor; *out = 41; return 0; }
OF_DEVICE(nvmlDeviceGetTemperatureThreshold, handle d, u32 which, u32 *out)
    static const u32 limits[] = {95, 90, 105, 87};
    (void)d;
    if (which > 3) return 2;
    *out = limits[which];
    return 0;
}
OF_DEVICE(nvmlDeviceGetUtilizationRates, handle d, busy_t *out) (void)d; out->gpu = 37; out->memory = 5; return 0; }
PAIR(nvmlDeviceGetEncoderUtilization, 3, 16666)
PAIR(nvmlDeviceGetDecoderUtilization, 4, 16666)
NUMBER(nvmlDeviceGetPersistenceMode, 1)
NUMBER(nvmlDeviceGetComputeMode, 3)
NUMBER(nvmlDeviceGetPerformanceState, 2)
NUMBER(nvmlDeviceGetCurrPcieLinkGeneration, 4)
NUMBER(nvmlDeviceGetCurrPcieLinkWidth, 8)
NUMBER(nvmlDeviceGetMaxPcieLinkGeneration, 5)
NUMBER(nvmlDeviceGetMaxPcieLinkWidth, 16)
NUMBER(nvmlDeviceGetPcieReplayCounter, 7)
OF_DEVICE(nvmlDeviceGetTopologyCommonAncestor, handle a, handle b, u32 *out) (void)a; (void)b; *out = 50; return 0; }

#ifndef OLD
static struct device instances[2] = {{0, 1}, {0, 2}};

FUNCTION(nvmlSystemGetCudaDriverVersion_v2, int *out) *out = 12040; return 0; }
OF_DEVICE(nvmlDeviceGetPciInfo_v3, handle d, pci_t *out) return pci(out, d->bus); }
OF_DEVICE(nvmlDeviceGetMemoryInfo_v2, handle d, memory_v2_t *out)
    (void)d;
    if (out->version != (sizeof *out | 2u << 24)) return 25;
    out->total = 80ull << 30; out->reserved = 1ull << 30; out->free = 59ull << 30; out->used = 20ull << 30;
    if (is_hostile()) out->used = ~0ull;
    return 0;
}
OF_DEVICE(nvmlDeviceGetRemappedRows, handle d, u32 *corrected, u32 *uncorrected, u32 *pending, u32 *failed)
    (void)d; *corrected = 3; *uncorrected = 2; *pending = 1; *failed = 0; return 0;
}
OF_DEVICE(nvmlDeviceGetRowRemapperHistogram, handle d, banks_t *out)
    (void)d; memset(out, 0, sizeof *out); out->max = 639; out->none = 1; return 0;
}
OF_DEVICE(nvmlDeviceGetCurrentClocksEventReasons, handle d, u64 *out) (void)d; *out = is_hostile() ? ~0ull : 0x44; return 0; }
OF_DEVICE(nvmlDeviceGetTotalEnergyConsumption, handle d, u64 *out) (void)d; *out = 9876543210ull; return 0; }
OF_DEVICE(nvmlDeviceGetFieldValues, handle d, int count, field_t *values)
    (void)d;
    if (count != 1 || values->field != 82) return 2;
    values->type = is_hostile() ? 6 : 1; values->status = 0; values->value = 52;
    return 0;
}
NUMBER(nvmlDeviceGetNumFans, 1)
OF_DEVICE(nvmlDeviceGetFanSpeed_v2, handle d, u32 fan, u32 *out) (void)d; *out = 30 + fan; return 0; }
OF_DEVICE(nvmlDeviceGetFanSpeedRPM, handle d, fan_t *out) (void)d; out->speed = 1200; return out->version == (12 | 1 << 24) ? 0 : 25; }
OF_DEVICE(nvmlDeviceGetNvLinkState, handle d, u32 link, u32 *out) (void)d; *out = link == 0; return link < 2 || is_hostile() ? 0 : 2; }
OF_DEVICE(nvmlDeviceGetNvLinkVersion, handle d, u32 link, u32 *out) (void)d; (void)link; *out = 4; return 0; }
OF_DEVICE(nvmlDeviceGetNvLinkRemoteDeviceType, handle d, u32 link, u32 *out) (void)d; (void)link; *out = is_hostile() ? 77 : 0; return 0; }
OF_DEVICE(nvmlDeviceGetNvLinkRemotePciInfo_v2, handle d, u32 link, pci_t *out) (void)link; return pci(out, d->bus == 0x81 ? 0xc1 : 0x81); }
OF_DEVICE(nvmlDeviceGetNvLinkErrorCounter, handle d, u32 link, u32 counter, u64 *out) (void)d; (void)link; *out = counter; return 0; }
PAIR(nvmlDeviceGetMigMode, d->bus == 0xc1, d->bus == 0xc1)
NUMBER(nvmlDeviceGetMaxMigDeviceCount, 7)
OF_DEVICE(nvmlDeviceGetMigDeviceHandleByIndex, handle d, u32 index, handle *out)
    (void)d;
    if (index > 1 && !is_hostile()) return 6;
    *out = &instances[index % 2];
    return 0;
}
NUMBER(nvmlDeviceGetGpuInstanceId, 6u + d->mig)
NUMBER(nvmlDeviceGetComputeInstanceId, 0)
OF_DEVICE(nvmlDeviceGetAttributes_v2, handle d, attributes_t *out)
    (void)d; memset(out, 0, sizeof *out); out->sms = 16; out->slices = 1; return 0;
}
NUMBER(nvmlDeviceGetArchitecture, 9)
PAIR(nvmlDeviceGetCudaComputeCapability, 9, 0)
NUMBER(nvmlDeviceGetNumGpuCores, 16896)
NUMBER(nvmlDeviceGetMemoryBusWidth, 5120)
#endif
