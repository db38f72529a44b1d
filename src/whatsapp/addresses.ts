/** Which number belongs to which LID, as far as Baileys tells it apart from messages. */
import type { BaileysEventEmitter } from '@whiskeysockets/baileys'
import { findChatJid, isLidJid, isPnJid, type LidJid, type PnJid } from '../core/ids.ts'

export interface AddressPair {
  readonly lid: LidJid
  readonly pn: PnJid
}

/** Calls back with every batch that the phone's history, its address book or the server brings. */
export function watchAddresses(ev: BaileysEventEmitter, tell: (pairs: readonly AddressPair[]) => void): void {
  const tellAll = (mappings: readonly { lid: string; pn: string }[]): void => {
    const pairs = mappings.flatMap((mapping) => {
      const [lid, pn] = [findChatJid(mapping.lid), findChatJid(mapping.pn)]
      return lid !== undefined && pn !== undefined && isLidJid(lid) && isPnJid(pn) ? [{ lid, pn }] : []
    })
    if (pairs.length > 0) tell(pairs)
  }
  ev.on('messaging-history.set', ({ lidPnMappings }) => {
    tellAll(lidPnMappings ?? [])
  })
  ev.on('lid-mapping.update', (mapping) => {
    tellAll([mapping])
  })
}
