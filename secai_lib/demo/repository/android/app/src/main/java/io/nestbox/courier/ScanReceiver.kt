package io.nestbox.courier

import android.content.BroadcastReceiver
import android.content.Context
import android.content.Intent

/** Takes the code that the barcode scanner read. */
class ScanReceiver : BroadcastReceiver() {
    override fun onReceive(context: Context, intent: Intent) {
        val code = intent.getStringExtra("code") ?: return
        val preferences = context.getSharedPreferences("scans", Context.MODE_PRIVATE)
        preferences.edit().putString("last", code).apply()
    }
}
