package io.nestbox.courier

import android.app.Activity
import android.os.Bundle
import android.widget.TextView

/** Shows the courier's route of the day. */
class MainActivity : Activity() {
    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        val view = TextView(this)
        view.text = getString(R.string.app_name)
        setContentView(view)
    }
}
