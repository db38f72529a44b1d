/** Where GHL leads people back to: installed, or why not, in the language of their browser. */
import { messagePage } from './message-page.ts'

const LANGUAGES = ['en', 'es', 'pt-BR'] as const
type Language = (typeof LANGUAGES)[number]

/** The reader's first language that we speak (RFC 9110, 12.5.4), as the pages choose it. */
export function languageOf(acceptLanguage: string | undefined): Language {
  const wanted = (acceptLanguage ?? '')
    .split(',')
    .map((part) => {
      const [tag = '', ...rest] = part.trim().toLowerCase().split(';')
      const weight = Number(rest.find((each) => each.trim().startsWith('q='))?.split('=')[1] ?? 1)
      return { language: tag.split('-')[0], weight }
    })
    .filter(({ weight }) => weight > 0)
    .toSorted((one, other) => other.weight - one.weight)
  for (const { language } of wanted) {
    const spoken = LANGUAGES.find((each) => each.split('-')[0] === language)
    if (spoken !== undefined) return spoken
  }
  return 'en'
}

interface InstallWords {
  readonly installed: string
  readonly Location: string
  readonly Company: string
  readonly notInstalled: string
  /** By the code of the error; English has the error's own words. */
  readonly refusals: Readonly<Record<string, string>>
  /** For every other code. */
  readonly trouble: string
}

const AGAIN = '/oauth/install'

const WORDS: Readonly<Record<Language, InstallWords>> = {
  en: {
    installed: 'Installed',
    Location: 'The WhatsApp bridge is connected to your sub-account.',
    Company:
      'The WhatsApp bridge is connected to your agency. Its sub-accounts are being connected now; this takes a moment for many.',
    notInstalled: 'Not installed',
    refusals: {},
    trouble: '',
  },
  es: {
    installed: 'Instalado',
    Location: 'El puente de WhatsApp está conectado a su subcuenta.',
    Company:
      'El puente de WhatsApp está conectado a su agencia. Sus subcuentas se están conectando ahora; si son muchas, tarda un momento.',
    notInstalled: 'No instalado',
    refusals: {
      REQUEST_INVALID: `La instalación no se aceptó, o GoHighLevel no reconoce este intento. Empiece de nuevo con ${AGAIN}.`,
      OAUTH_STATE_INVALID: `Este enlace de instalación ya se usó o es demasiado antiguo. Empiece de nuevo con ${AGAIN}.`,
      CONFIG_MISSING: 'Al servidor le falta una configuración. Avise a quien lo administra.',
      GHL_DEACTIVATED: 'Quien administra este servicio ha desactivado esta instalación. Avísele.',
      TOO_MANY_REQUESTS: 'Fueron demasiados intentos. Espere un minuto y cargue esta página de nuevo.',
    },
    trouble: `Algo falló entre este servicio y GoHighLevel. Cargue esta página de nuevo en un momento; si sigue igual, empiece con ${AGAIN}.`,
  },
  'pt-BR': {
    installed: 'Instalado',
    Location: 'A ponte do WhatsApp está conectada à sua subconta.',
    Company:
      'A ponte do WhatsApp está conectada à sua agência. As subcontas estão sendo conectadas agora; se forem muitas, leva um momento.',
    notInstalled: 'Não instalado',
    refusals: {
      REQUEST_INVALID: `A instalação não foi aceita, ou o GoHighLevel não reconhece esta tentativa. Comece de novo com ${AGAIN}.`,
      OAUTH_STATE_INVALID: `Este link de instalação já foi usado ou é antigo demais. Comece de novo com ${AGAIN}.`,
      CONFIG_MISSING: 'Falta uma configuração no servidor. Avise quem o administra.',
      GHL_DEACTIVATED: 'Quem administra este serviço desativou esta instalação. Fale com essa pessoa.',
      TOO_MANY_REQUESTS: 'Foram tentativas demais. Espere um minuto e carregue esta página de novo.',
    },
    trouble: `Algo falhou entre este serviço e o GoHighLevel. Carregue esta página de novo daqui a pouco; se continuar, comece com ${AGAIN}.`,
  },
}

export function installedPage(userType: 'Location' | 'Company', acceptLanguage: string | undefined): string {
  const language = languageOf(acceptLanguage)
  const words = WORDS[language]
  return messagePage(words.installed, words[userType], language)
}

export function notInstalledPage(
  { code, message, action }: { code: string; message: string; action?: string },
  acceptLanguage: string | undefined,
): string {
  const language = languageOf(acceptLanguage)
  const { notInstalled, refusals, trouble } = WORDS[language]
  const own = [message, action].filter((part) => part !== undefined).map(asSentence)
  const text = language === 'en' ? own.join(' ') : (refusals[code] ?? trouble)
  return messagePage(notInstalled, withLink(escaped(text)), language)
}

const asSentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`)

/** Some messages carry GHL's words, so nothing in them is markup. */
const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (mark) => `&#${mark.charCodeAt(0)};`)

/** The way to start again is made one to click. */
const withLink = (text: string): string => text.replaceAll(AGAIN, `<a href="${AGAIN}">${AGAIN}</a>`)
