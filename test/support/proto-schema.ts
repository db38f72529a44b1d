/** WhatsApp's message schema as Baileys ships it, read from its .proto file: what the wire can carry. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

export interface ProtoField {
  readonly name: string
  /** A scalar such as `string`, or the full name of a message or an enum. */
  readonly type: string
  readonly isRepeated: boolean
}

export interface ProtoSchema {
  readonly messages: ReadonlyMap<string, readonly ProtoField[]>
  /** The numbers of each enum. */
  readonly enums: ReadonlyMap<string, readonly number[]>
}

const BAILEYS = dirname(createRequire(import.meta.url).resolve('@whiskeysockets/baileys/package.json'))

export function readProtoSchema(): ProtoSchema {
  const messages = new Map<string, ProtoField[]>()
  const enums = new Map<string, number[]>()
  const scope: { name: string; kind: string }[] = []
  for (const line of readFileSync(join(BAILEYS, 'WAProto', 'WAProto.proto'), 'utf8').split('\n')) {
    const opened = /^\s*(message|enum|oneof)\s+(\w+)\s*\{/.exec(line)
    if (opened !== null) {
      const [, kind = '', name = ''] = opened
      const full = [...scope.filter((each) => each.kind !== 'oneof').map((each) => each.name), name].join('.')
      if (kind === 'message') messages.set(full, [])
      if (kind === 'enum') enums.set(full, [])
      scope.push({ name, kind })
    }
    const path = scope
      .filter((each) => each.kind !== 'oneof')
      .map((each) => each.name)
      .join('.')
    const field = /^\s*(optional|repeated|required)?\s*([\w.]+)\s+(\w+)\s*=\s*\d+/.exec(line)
    const value = /^\s*\w+\s*=\s*(-?\d+)/.exec(line)
    if (scope.at(-1)?.kind === 'enum' && value !== null) enums.get(path)?.push(Number(value[1]))
    else if (field !== null && opened === null)
      messages
        .get(path)
        ?.push({ name: field[3] ?? '', type: field[2] ?? '', isRepeated: field[1] === 'repeated' })
    if (/^\s*\}/.test(line)) scope.pop()
  }
  return { messages, enums }
}

/** The full name behind a type as a field of `within` writes it, searched from the inside out as protobuf does. */
export function resolveType(
  { messages, enums }: ProtoSchema,
  type: string,
  within: string,
): string | undefined {
  const path = within.split('.')
  for (let depth = path.length; depth >= 0; depth -= 1) {
    const full = [...path.slice(0, depth), type].join('.')
    if (messages.has(full) || enums.has(full)) return full
  }
  return undefined
}
