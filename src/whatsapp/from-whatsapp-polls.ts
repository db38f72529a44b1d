/** Polls with their votes, events. */
import type { proto } from '@whiskeysockets/baileys'
import { lines } from '../bridge/sentences.ts'
import { type Content, ignored, lineOf, linesOf, listOf, notice, numberOf, positiveOf } from './content.ts'
import { chosenOptions, pollOf, type Unsealed } from './message-secret.ts'
import { waIdOf } from './wa-id.ts'

export function fromPoll(poll: proto.Message.IPollCreationMessage | null | undefined): Content {
  const question = lineOf(poll?.name)
  // Byte for byte: a vote names its options by their hashes.
  const options = listOf(poll?.options).map(({ optionName }) => optionName ?? '')
  if (question === undefined && options.length === 0)
    return notice('pollCreationMessage', lines.other('a poll'))
  return { kind: 'poll', question: question ?? '', options }
}

export function fromVote(
  vote: proto.Message.IPollUpdateMessage | null | undefined,
  unsealed: Unsealed | undefined,
): Content {
  const id = vote?.pollCreationMessageKey?.id
  if (!id) return ignored('protocol')
  const poll = unsealed?.original && pollOf(unsealed.original)
  const question = lineOf(poll?.question)
  const choices = poll && unsealed.plain && chosenOptions(unsealed.plain, poll.options)
  return {
    kind: 'vote',
    of: waIdOf(id),
    ...(question !== undefined && { question }),
    ...(choices !== undefined && { choices }),
  }
}

export function fromPollResults(
  results: proto.Message.IPollResultSnapshotMessage | null | undefined,
): Content {
  const votes = listOf(results?.pollVotes).map(
    ({ optionName, optionVoteCount }) => `${lineOf(optionName) ?? '–'}: ${numberOf(optionVoteCount) ?? 0}`,
  )
  return notice('pollResultSnapshotMessage', linesOf(lines.pollResults(), results?.name, ...votes))
}

export function fromEvent(event: proto.Message.IEventMessage | null | undefined): Content {
  const title = event?.isCanceled === true ? lines.did('Event, canceled') : lines.did('Event')
  const times = [momentOf(event?.startTime), momentOf(event?.endTime)].filter(
    (moment) => moment !== undefined,
  )
  return notice(
    'eventMessage',
    linesOf(
      title,
      event?.name,
      times.join(' – '),
      event?.description,
      linesOf(event?.location?.name, event?.location?.address),
      event?.joinLink,
    ),
  )
}

/** The zone of the reader is not known here, so it is said: `2026-11-21 15:00 UTC`. */
export function momentOf(seconds: unknown): string | undefined {
  const value = positiveOf(seconds)
  // The schema says seconds; some apps send milliseconds.
  const date = new Date(value === undefined ? Number.NaN : value < 1e11 ? value * 1_000 : value)
  return Number.isNaN(date.getTime()) ? undefined : `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
