// Profile pictures: kept unencrypted on the media host, known to others by a URL that the server tells.
import { randomInt } from 'node:crypto'
import type { BinaryNode } from '@whiskeysockets/baileys'
import { type Account, addressingOf, type Directory } from './directory.ts'
import type { MediaHost } from './media-host.ts'
import { child, iqError, iqResult, stanza } from './stanzas.ts'

interface Picture {
  readonly id: string
  readonly url: string
}

export class Pictures {
  readonly #media: MediaHost
  readonly #byAccount = new Map<Account, Picture>()

  constructor(media: MediaHost) {
    this.#media = media
  }

  /** Undefined takes the picture away. */
  set(
    account: Account,
    picture: { readonly bytes: Uint8Array; readonly mimetype: string } | undefined,
  ): void {
    if (!picture) {
      this.#byAccount.delete(account)
      return
    }
    const url = this.#media.publish(Buffer.from(picture.bytes), picture.mimetype)
    this.#byAccount.set(account, { id: String(randomInt(10 ** 9)), url })
  }

  /** Answers `w:profile:picture get`; without a picture as the real server does, with 404. */
  answer(directory: Directory, request: BinaryNode): BinaryNode {
    const { target = '' } = request.attrs
    const account = directory.find(target)
    const hidden = account?.hidesNumber && addressingOf(target) === 'pn'
    const picture = account && !hidden ? this.#byAccount.get(account) : undefined
    if (!picture) return iqError(request, 404, 'item-not-found')
    const type = child(request, 'picture')?.attrs['type'] ?? 'preview'
    return iqResult(request, [stanza('picture', { ...picture, type })])
  }
}
