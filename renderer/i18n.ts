import i18next from 'i18next'
import { initReactI18next } from 'react-i18next'
import { english } from './locales/english.ts'

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'common'
    resources: typeof english
  }
}

/** All words of the application; one namespace per screen. */
export const i18n = i18next

void i18next.use(initReactI18next).init({
  lng: 'en',
  fallbackLng: 'en',
  resources: { en: english },
  defaultNS: 'common',
  interpolation: { escapeValue: false },
  initAsync: false,
})
