/** `subject`: whose certificate it is; `at`: the day on which it ends or begins to be valid; `reason`: why it cannot be used at all. */
export type CertificateFault =
  { state: 'expired' | 'expiring' | 'early'; subject: string; at: string } | { state: 'unusable'; reason: string }
