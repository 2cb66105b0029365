/** What is sealed with which key. */
export interface KeyStatus {
  /** Those of the ring in its order, then those that are only known from what they have sealed. */
  readonly keys: readonly KeyUse[];
}

/** One key, and how much it is needed. */
export interface KeyUse {
  /** 16 hexadecimal digits that follow from the key and tell nothing of it. */
  readonly fingerprint: string;
  /** What the configuration calls it; `undefined`: nothing. */
  readonly id: string | undefined;
  /** Whether it is in the ring. */
  readonly configured: boolean;
  /** Whether it seals. */
  readonly active: boolean;
  /** How many records need it. */
  readonly records: number;
  /** Whether nothing needs it, so that it may be taken out of the ring. */
  readonly removable: boolean;
}

/** How far a rotation has come. */
export interface RotationProgress {
  /** Records that were looked at. */
  readonly seen: number;
  /** Those that this run has sealed anew. */
  readonly rewrapped: number;
}

/** What a rotation came to. */
export interface Rotation extends RotationProgress {
  /** Fingerprint of the key that everything is sealed with now, but for what failed. */
  readonly active: string;
  /** How many records could not be opened, and were left as they are. */
  readonly failed: number;
  /** The first of them. */
  readonly failures: readonly SealedPlace[];
}

/** What nothing opens any more, for want of a key. */
export interface Discarded {
  readonly fingerprint: string;
  readonly credentials: number;
  /** How many people, tenants and the gateway itself the credentials belonged to. */
  readonly owners: number;
  /** Of the gateway, at authorization servers; they are made anew when somebody connects. */
  readonly registrations: number;
}

/** Which record it is. */
export interface SealedPlace {
  /** Empty for the gateway's own. */
  readonly tenant: string;
  readonly kind: string;
  readonly id: string;
}
