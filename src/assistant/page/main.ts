import { createApp } from 'vue'
import App from './App.vue'
import { startLook } from './i18n/index.ts'
import { connect, onEvent } from './state/connection.ts'
import { startSession } from './state/session.ts'
import { suggestPorts } from './state/suggested.ts'
import './style.css'

startLook()
startSession()
onEvent((event) => event.on === 'hello' && suggestPorts(event.presets))
connect()
createApp(App).mount('#app')
