/** Judges a run at the far ends only: GHL's record and the customers' phones. */
export interface Sent {
  readonly chat: string
  /** WhatsApp's id inbound; the text outbound, which is unique. */
  readonly mark: string
}

export interface Verdict {
  readonly total: number
  readonly lost: readonly string[]
  readonly doubled: readonly string[]
  readonly reordered: readonly string[]
}

/**
 * @param sent in the order in which each chat's author sent.
 * @param arrived the marks of each chat, in the order in which they stand there.
 */
export function judge(sent: readonly Sent[], arrived: ReadonlyMap<string, readonly string[]>): Verdict {
  const lost: string[] = []
  const doubled: string[] = []
  const reordered: string[] = []
  for (const [chat, messages] of Map.groupBy(sent, (message) => message.chat)) {
    const there = arrived.get(chat) ?? []
    const position = new Map(there.map((mark, index) => [mark, index]).toReversed() as [string, number][])
    let last = -1
    for (const { mark } of messages) {
      const at = position.get(mark)
      if (at === undefined) lost.push(mark)
      else if (at < last) reordered.push(mark)
      else last = at
    }
    const counts = Map.groupBy(there, (mark) => mark)
    doubled.push(...messages.map(({ mark }) => mark).filter((mark) => (counts.get(mark)?.length ?? 0) > 1))
  }
  return { total: sent.length, lost, doubled, reordered }
}
