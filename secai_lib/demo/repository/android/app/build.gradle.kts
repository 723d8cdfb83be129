plugins {
    id("com.android.application") version "8.3.2"
    kotlin("android") version "1.9.22"
}

android {
    namespace = "io.nestbox.courier"
    compileSdk = 34

    defaultConfig {
        applicationId = "io.nestbox.courier"
        minSdk = 26
        targetSdk = 34
        versionCode = 18
        versionName = "1.8.0"
    }
}
