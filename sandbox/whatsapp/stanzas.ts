import { type BinaryNode, getBinaryNodeChild, S_WHATSAPP_NET } from '@whiskeysockets/baileys'

type Attributes = Readonly<Record<string, string | undefined>>

/** Builds a stanza; attributes that are undefined are left out. */
export function stanza(
  tag: string,
  attributes: Attributes = {},
  content?: BinaryNode['content'],
): BinaryNode {
  const attrs: Record<string, string> = {}
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) attrs[name] = value
  return content === undefined ? { tag, attrs } : { tag, attrs, content }
}

export function iqResult(request: BinaryNode, content?: BinaryNode[]): BinaryNode {
  return stanza('iq', { id: request.attrs['id'], from: S_WHATSAPP_NET, type: 'result' }, content)
}

export function iqError(request: BinaryNode, code: number, text: string): BinaryNode {
  return stanza('iq', { id: request.attrs['id'], from: S_WHATSAPP_NET, type: 'error' }, [
    stanza('error', { code: String(code), text }),
  ])
}

export function children(node: BinaryNode | undefined, tag?: string): BinaryNode[] {
  if (!Array.isArray(node?.content)) return []
  return tag === undefined ? node.content : node.content.filter((child) => child.tag === tag)
}

export function child(node: BinaryNode | undefined, tag: string): BinaryNode | undefined {
  return getBinaryNodeChild(node, tag)
}

/** The node's content as bytes; empty when it has none. Short strings travel as tokens, hence the conversion. */
export function bytesOf(node: BinaryNode | undefined): Buffer {
  const content = node?.content
  if (content === undefined || Array.isArray(content)) return Buffer.alloc(0)
  return typeof content === 'string' ? Buffer.from(content) : Buffer.from(content)
}

export function textOf(node: BinaryNode | undefined): string {
  return bytesOf(node).toString('utf8')
}

export function uintOf(node: BinaryNode | undefined): number {
  const bytes = bytesOf(node)
  return bytes.length === 0 ? 0 : bytes.readUIntBE(0, Math.min(bytes.length, 6))
}

export function uintBytes(value: number, lengthBytes: number): Buffer {
  const bytes = Buffer.alloc(lengthBytes)
  bytes.writeUIntBE(value, 0, lengthBytes)
  return bytes
}

export function unixSeconds(): string {
  return String(Math.floor(Date.now() / 1000))
}

/** Every id a receipt covers: its own and those of its `list`. */
export function receiptIds(receipt: BinaryNode): string[] {
  const own = receipt.attrs['id']
  const items = children(child(receipt, 'list'), 'item').map((item) => item.attrs['id'])
  return [own, ...items].filter((id): id is string => id !== undefined)
}
