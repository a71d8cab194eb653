import { createApp } from 'vue'
import App from './App.vue'
import { startLook } from './i18n/index.ts'
import { connect } from './state/connection.ts'
import { startSession } from './state/session.ts'
import './style.css'

startLook()
startSession()
connect()
createApp(App).mount('#app')
