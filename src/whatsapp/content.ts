/** What the converters share: their result, and values of the wire that may be absent, odd or hostile. */
import { toNumber } from '@whiskeysockets/baileys'
import type { IgnoreReason, WaContent } from '../core/message.ts'

/** What is in a message, or why it is nobody's business. */
export type Content = WaContent | { readonly ignored: IgnoreReason }

export const ignored = (reason: IgnoreReason): Content => ({ ignored: reason })

export const notice = (waKind: string, text: string): Content => ({ kind: 'notice', waKind, text })

/** Control characters that no phone shows; line breaks and tabs stay. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is to be removed.
const INVISIBLE = /[\0-\x08\x0B\x0C\x0E-\x1F\x7F]/g

/** Text of the wire as it can be stored and shown; `undefined` when there is nothing to see. */
export function textOf(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  const text = value.toWellFormed().replaceAll(INVISIBLE, '').replaceAll('\r\n', '\n')
  return text.trim() === '' ? undefined : text
}

/** On one line. */
export const lineOf = (value: unknown): string | undefined => textOf(value)?.replaceAll(/\s+/g, ' ').trim()

/** The lines that are there, one under the other. */
export const linesOf = (...values: unknown[]): string =>
  values
    .map(textOf)
    .filter((text) => text !== undefined)
    .join('\n')

/** A number of the wire, 64-bit ones (Long) included; `undefined` for what is none. */
export function numberOf(value: unknown): number | undefined {
  const isLong = typeof value === 'object' && value !== null && 'low' in value
  const number: unknown = isLong ? toNumber(value as Parameters<typeof toNumber>[0]) : value // as Baileys' own code reads them
  // Without the sign of a zero, which JSON does not keep.
  return typeof number === 'number' && Number.isFinite(number) ? number + 0 : undefined
}

/** As {@link numberOf}, when there is more than nothing of it. */
export function positiveOf(value: unknown): number | undefined {
  const number = numberOf(value)
  return number !== undefined && number > 0 ? number : undefined
}

/** A list of the wire. Generated code gives arrays, plain objects of tests and of old stores may give anything. */
export const listOf = <Item>(value: readonly Item[] | null | undefined): readonly Item[] =>
  Array.isArray(value) ? (value as readonly Item[]).filter((item) => item !== null && item !== undefined) : []

export const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

/** Parsed when it is a JSON object, as the parameters of business messages are. */
export function jsonOf(value: unknown): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(typeof value === 'string' ? value : '')
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {}
  } catch {
    return {}
  }
}
