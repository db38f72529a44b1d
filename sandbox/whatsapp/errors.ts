export type SandboxErrorCode =
  | 'ACCOUNT_UNKNOWN'
  | 'ACCOUNT_EXISTS'
  | 'GROUP_UNKNOWN'
  | 'PHONE_OFFLINE'
  | 'QR_MALFORMED'
  | 'QR_EXPIRED'
  | 'QR_KEYS_MISMATCH'
  | 'QR_SECRET_RETIRED'
  | 'PAIRING_NOT_REQUESTED'
  | 'PAIRING_CODE_WRONG'
  | 'PAIRING_REFUSED'
  | 'COMPANION_NOT_CONNECTED'
  | 'HANDSHAKE_INVALID'
  | 'MESSAGE_UNKNOWN'
  | 'MEDIA_NOT_FOUND'
  | 'MEDIA_CORRUPT'
  | 'REQUEST_INVALID'
  | 'WAIT_TIMEOUT'
  | 'LIVE_HOST_REFUSED'

/** A mistake of the sandbox's caller or of the client under test; `message` says what to do next. */
export class SandboxError extends Error {
  readonly code: SandboxErrorCode

  constructor(code: SandboxErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'SandboxError'
    this.code = code
  }
}
